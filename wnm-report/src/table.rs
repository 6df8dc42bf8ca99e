//! Columns of plain text. Widths are counted in characters, which fits everything wnm prints.

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// One column: its side, and the width it has even when all of its cells are shorter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub align: Align,
    pub least: usize,
}

impl Column {
    /// As wide as its cells need.
    pub const LEFT: Column = Column {
        align: Align::Left,
        least: 0,
    };
}

/// Lays rows out. A column is as wide as its longest cell and `gap` more, or its least width, so that two
/// cells never touch; the last one needs no gap. No line ends in blanks, and a cell is one line: line breaks
/// and other control characters in it (a supervisor's own words can hold any) become blanks.
pub(super) fn render(indent: &str, gap: usize, columns: &[Column], rows: &[Vec<String>]) -> String {
    let last = columns.len().saturating_sub(1);
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let cells = rows.iter().filter_map(|row| row.get(i));
            let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            let needed = if i == last { longest } else { longest + gap };
            needed.max(column.least)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let start = text.len();
        text.push_str(indent);
        for ((cell, column), &width) in row.iter().zip(columns).zip(&widths) {
            let blanks = width.saturating_sub(cell.chars().count());
            let (before, after) = match column.align {
                Align::Left => (0, blanks),
                Align::Right => (blanks, 0),
            };
            text.extend(std::iter::repeat_n(' ', before));
            text.extend(one_line(cell));
            text.extend(std::iter::repeat_n(' ', after));
        }
        let end = text.trim_end_matches(' ').len().max(start);
        text.truncate(end);
        text.push('\n');
    }
    text
}

/// The characters of a text as they can stand within a line.
pub(super) fn one_line(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if c.is_control() { ' ' } else { c })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        let owned = |row: &&[&str]| row.iter().map(|cell| (*cell).to_owned()).collect();
        rows.iter().map(owned).collect()
    }

    #[test]
    fn columns_stand_below_each_other_and_lines_end_in_no_blank() {
        let right = Column {
            align: Align::Right,
            least: 6,
        };
        let text = render(
            "  ",
            2,
            &[Column::LEFT, right, Column::LEFT],
            &rows(&[&["a", "1", "käse"], &["größer", "12345", ""], &["b"]]),
        );
        assert_eq!(text, "  a             1käse\n  größer    12345\n  b\n");
    }

    #[test]
    fn a_cell_that_outgrows_its_column_touches_no_other() {
        let narrow = Column {
            align: Align::Left,
            least: 4,
        };
        let text = render(
            "",
            1,
            &[narrow, Column::LEFT],
            &rows(&[&["abcdef", "x"], &["a", "y"]]),
        );
        assert_eq!(text, "abcdef x\na      y\n");
    }

    #[test]
    fn a_row_stays_one_line() {
        let text = render(
            "",
            1,
            &[Column::LEFT],
            &rows(&[&["failed:\n\u{1b}[31mno\r"]]),
        );
        assert_eq!(text, "failed:  [31mno\n");
    }
}
