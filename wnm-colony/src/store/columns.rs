//! Reading values out of a row with an error that says where it was.
//!
//! SQLite keeps any kind of value in any column, and rows that were migrated have NULL where others must
//! not, so that every value is looked at.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sea_orm::{QueryResult, TryGetable};
use serde_json::Value;

use super::packed::PackedRow;
use wnm_core::id::NodeId;
use wnm_core::quantity::UnixTime;

/// A value that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub table: &'static str,
    pub row: String,
    pub column: &'static str,
    pub problem: String,
}

/// A row of one table.
pub(super) struct Columns<'a> {
    values: Values<'a>,
    table: &'static str,
    name: String,
}

/// The values of a row, as they came.
enum Values<'a> {
    OneByOne(&'a QueryResult),
    Packed(PackedRow<'a>),
}

impl<'a> Columns<'a> {
    /// A row that has its number in the column `id`.
    pub fn new(table: &'static str, row: &'a QueryResult) -> Self {
        Self::of(table, Values::OneByOne(row))
    }

    /// The same of a packed row.
    pub fn packed(table: &'static str, row: PackedRow<'a>) -> Self {
        Self::of(table, Values::Packed(row))
    }

    fn of(table: &'static str, values: Values<'a>) -> Self {
        let name = match values.whole("id") {
            Some(Some(id)) => id.to_string(),
            _ => "?".to_owned(),
        };
        Self {
            values,
            table,
            name,
        }
    }

    /// What is wrong with the value of a column.
    pub fn fault(&self, column: &'static str, problem: impl Display) -> Fault {
        Fault {
            table: self.table,
            row: self.name.clone(),
            column,
            problem: problem.to_string(),
        }
    }

    /// The same with the value, where it can be shown.
    fn unfit(&self, column: &'static str, problem: &str) -> Fault {
        match self.values.text(column) {
            Some(Some(text)) => self.fault(column, format!("'{text}' {problem}")),
            _ => self.fault(column, problem),
        }
    }

    /// A text, or `None` for NULL and for nothing but blanks.
    pub fn some_text(&self, column: &'static str) -> Result<Option<String>, Fault> {
        let text = self
            .values
            .text(column)
            .ok_or_else(|| self.fault(column, "is not a text"))?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    /// A text that must be there.
    pub fn text(&self, column: &'static str) -> Result<String, Fault> {
        self.some_text(column)?
            .ok_or_else(|| self.fault(column, "is empty"))
    }

    /// A path that must be there.
    pub fn path(&self, column: &'static str) -> Result<PathBuf, Fault> {
        self.text(column).map(PathBuf::from)
    }

    /// A text that is read by its type.
    pub fn parsed<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T, Fault> {
        let text = self.text(column)?;
        text.parse().map_err(|error| self.fault(column, error))
    }

    /// A word that `read` knows.
    pub fn word<T>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Fault> {
        let word = self.text(column)?;
        read(&word).ok_or_else(|| self.fault(column, format!("'{word}' is no word for it")))
    }

    /// A number of any kind, or `None` for NULL.
    pub fn some_number(&self, column: &'static str) -> Result<Option<f64>, Fault> {
        if let Some(whole) = self.values.whole(column) {
            // Exact for every threshold and load there can be.
            return Ok(whole.map(|whole| whole as f64));
        }
        self.values
            .real(column)
            .ok_or_else(|| self.unfit(column, "is not a number"))
    }

    /// A number that a type accepts.
    pub fn number<T: TryFrom<f64, Error: Display>>(
        &self,
        column: &'static str,
    ) -> Result<T, Fault> {
        let number = self
            .some_number(column)?
            .ok_or_else(|| self.fault(column, "is empty"))?;
        T::try_from(number).map_err(|error| self.fault(column, format!("{number}: {error}")))
    }

    /// A whole number, or `None` for NULL.
    pub fn some_whole(&self, column: &'static str) -> Result<Option<i64>, Fault> {
        self.values
            .whole(column)
            .ok_or_else(|| self.unfit(column, "is not a whole number"))
    }

    /// A whole number that must be there.
    pub fn whole(&self, column: &'static str) -> Result<i64, Fault> {
        self.some_whole(column)?
            .ok_or_else(|| self.fault(column, "is empty"))
    }

    /// A whole number of a narrower type; `absent` for NULL.
    pub fn count<T: TryFrom<i64>>(&self, column: &'static str, absent: T) -> Result<T, Fault> {
        match self.some_whole(column)? {
            None => Ok(absent),
            Some(number) => T::try_from(number)
                .map_err(|_| self.fault(column, format!("{number} is out of range"))),
        }
    }

    /// The number of a node, which must be there.
    pub fn node_id(&self, column: &'static str) -> Result<NodeId, Fault> {
        NodeId::new(self.count(column, 0)?)
            .ok_or_else(|| self.fault(column, "nodes are numbered from 1"))
    }

    /// A figure that the next survey overwrites: a colony is not held up by one below zero.
    pub fn figure(&self, column: &'static str) -> Result<u64, Fault> {
        let figure = self.some_whole(column)?.unwrap_or(0);
        Ok(figure.max(0).unsigned_abs())
    }

    /// A point in time that must be there.
    pub fn time(&self, column: &'static str) -> Result<UnixTime, Fault> {
        self.whole(column).map(UnixTime)
    }

    /// A point in time, or `None` for NULL.
    pub fn some_time(&self, column: &'static str) -> Result<Option<UnixTime>, Fault> {
        Ok(self.some_whole(column)?.map(UnixTime))
    }
}

/// Each returns `None` for a value of another kind, and `Some(None)` for NULL.
impl Values<'_> {
    fn text(&self, column: &'static str) -> Option<Option<String>> {
        self.get(column, |value| value.as_str().map(str::to_owned))
    }

    fn whole(&self, column: &'static str) -> Option<Option<i64>> {
        self.get(column, Value::as_i64)
    }

    fn real(&self, column: &'static str) -> Option<Option<f64>> {
        // SQLite rounds what it writes as JSON.
        self.get(column, |_| None)
    }

    fn get<T: TryGetable>(
        &self,
        column: &'static str,
        unpack: impl Fn(&Value) -> Option<T>,
    ) -> Option<Option<T>> {
        match self {
            Self::OneByOne(row) => row.try_get_by::<Option<T>, _>(column).ok(),
            Self::Packed(row) => match row.get(column)? {
                Value::Null => Some(None),
                value => unpack(value).map(Some),
            },
        }
    }
}

/// A count as the database stores it. SQLite's integers end at 2⁶³ − 1, where no figure gets.
pub(super) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A path as the database stores it: as text.
pub(super) fn stored_path(
    table: &'static str,
    row: u32,
    column: &'static str,
    path: &Path,
) -> Result<String, Fault> {
    path.to_str().map(str::to_owned).ok_or_else(|| Fault {
        table,
        row: row.to_string(),
        column,
        problem: format!("the path {} is not UTF-8", path.display()),
    })
}
