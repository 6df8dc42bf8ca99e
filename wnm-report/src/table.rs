//! Lays out columns of plain text. Widths are in characters, which suits everything wnm prints.

/// The alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A column: its alignment and its minimum width.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub align: Align,
    pub min_width: usize,
}

impl Column {
    /// A left-aligned column without a minimum width.
    pub const LEFT: Column = Column {
        align: Align::Left,
        min_width: 0,
    };
}

/// Lays out rows. A column is as wide as its longest cell plus `gap`, but at least its minimum
/// width, so cells never touch. The last column needs no gap. No line ends in spaces.
///
/// Line breaks and other control characters in a cell become spaces. Texts from a supervisor can
/// contain any.
pub(super) fn render(indent: &str, gap: usize, columns: &[Column], rows: &[Vec<String>]) -> String {
    let last = columns.len().saturating_sub(1);
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let cells = rows.iter().filter_map(|row| row.get(i));
            let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            let needed = if i == last { longest } else { longest + gap };
            needed.max(column.min_width)
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

/// The characters of a text, with control characters replaced by spaces.
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
    fn columns_align_and_lines_do_not_end_in_spaces() {
        let right = Column {
            align: Align::Right,
            min_width: 6,
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
    fn a_long_cell_does_not_touch_the_next() {
        let narrow = Column {
            align: Align::Left,
            min_width: 4,
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
