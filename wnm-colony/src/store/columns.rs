//! Decodes the values of a row. Errors name the table, the row and the column.
//!
//! SQLite stores any type in any column, and migrated rows can hold NULL in required columns, so
//! every value is checked.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sea_orm::{QueryResult, TryGetable};
use serde_json::Value;

use super::packed::PackedRow;
use wnm_core::id::NodeId;
use wnm_core::quantity::UnixTime;

/// A stored value that cannot be decoded, or a path that cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DecodeError {
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

/// The values of a row, in the form the query returned.
enum Values<'a> {
    OneByOne(&'a QueryResult),
    Packed(PackedRow<'a>),
}

impl<'a> Columns<'a> {
    /// Wraps a row whose number is in the column `id`.
    pub fn new(table: &'static str, row: &'a QueryResult) -> Self {
        Self::of(table, Values::OneByOne(row))
    }

    /// Wraps a packed row whose number is in the column `id`.
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

    /// An error about the value of a column.
    pub fn error(&self, column: &'static str, problem: impl Display) -> DecodeError {
        DecodeError {
            table: self.table,
            row: self.name.clone(),
            column,
            problem: problem.to_string(),
        }
    }

    /// An error about the value of a column that quotes the value if it is text.
    fn type_error(&self, column: &'static str, problem: &str) -> DecodeError {
        match self.values.text(column) {
            Some(Some(text)) => self.error(column, format!("'{text}' {problem}")),
            _ => self.error(column, problem),
        }
    }

    /// A text, or `None` for NULL and for text that is only white space.
    pub fn some_text(&self, column: &'static str) -> Result<Option<String>, DecodeError> {
        let text = self
            .values
            .text(column)
            .ok_or_else(|| self.error(column, "is not text"))?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    /// A required text.
    pub fn text(&self, column: &'static str) -> Result<String, DecodeError> {
        self.some_text(column)?
            .ok_or_else(|| self.error(column, "is empty"))
    }

    /// A required path.
    pub fn path(&self, column: &'static str) -> Result<PathBuf, DecodeError> {
        self.text(column).map(PathBuf::from)
    }

    /// A required text, parsed as `T`.
    pub fn parsed<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T, DecodeError> {
        let text = self.text(column)?;
        text.parse().map_err(|error| self.error(column, error))
    }

    /// A required text that `read` recognises.
    pub fn word<T>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, DecodeError> {
        let word = self.text(column)?;
        read(&word).ok_or_else(|| self.error(column, format!("'{word}' is not a known value")))
    }

    /// An integer or a real number, or `None` for NULL.
    pub fn some_number(&self, column: &'static str) -> Result<Option<f64>, DecodeError> {
        if let Some(whole) = self.values.whole(column) {
            // Exact for every possible threshold and load.
            return Ok(whole.map(|whole| whole as f64));
        }
        self.values
            .real(column)
            .ok_or_else(|| self.type_error(column, "is not a number"))
    }

    /// A required number that `T` accepts.
    pub fn number<T: TryFrom<f64, Error: Display>>(
        &self,
        column: &'static str,
    ) -> Result<T, DecodeError> {
        let number = self
            .some_number(column)?
            .ok_or_else(|| self.error(column, "is empty"))?;
        T::try_from(number).map_err(|error| self.error(column, format!("{number}: {error}")))
    }

    /// A whole number, or `None` for NULL.
    pub fn some_whole(&self, column: &'static str) -> Result<Option<i64>, DecodeError> {
        self.values
            .whole(column)
            .ok_or_else(|| self.type_error(column, "is not a whole number"))
    }

    /// A required whole number.
    pub fn whole(&self, column: &'static str) -> Result<i64, DecodeError> {
        self.some_whole(column)?
            .ok_or_else(|| self.error(column, "is empty"))
    }

    /// A whole number of a narrower type, or `absent` for NULL.
    pub fn count<T: TryFrom<i64>>(
        &self,
        column: &'static str,
        absent: T,
    ) -> Result<T, DecodeError> {
        match self.some_whole(column)? {
            None => Ok(absent),
            Some(number) => T::try_from(number)
                .map_err(|_| self.error(column, format!("{number} is out of range"))),
        }
    }

    /// A required node number.
    pub fn node_id(&self, column: &'static str) -> Result<NodeId, DecodeError> {
        NodeId::new(self.count(column, 0)?)
            .ok_or_else(|| self.error(column, "node numbers begin at 1"))
    }

    /// A measured figure, with 0 for NULL and for negative values. The next survey overwrites it,
    /// so a bad one is no reason to fail.
    pub fn figure(&self, column: &'static str) -> Result<u64, DecodeError> {
        let figure = self.some_whole(column)?.unwrap_or(0);
        Ok(figure.max(0).unsigned_abs())
    }

    /// A required time.
    pub fn time(&self, column: &'static str) -> Result<UnixTime, DecodeError> {
        self.whole(column).map(UnixTime)
    }

    /// A time, or `None` for NULL.
    pub fn some_time(&self, column: &'static str) -> Result<Option<UnixTime>, DecodeError> {
        Ok(self.some_whole(column)?.map(UnixTime))
    }
}

/// Each method returns `None` for a value of another type and `Some(None)` for NULL.
impl Values<'_> {
    fn text(&self, column: &'static str) -> Option<Option<String>> {
        self.get(column, |value| value.as_str().map(str::to_owned))
    }

    fn whole(&self, column: &'static str) -> Option<Option<i64>> {
        self.get(column, Value::as_i64)
    }

    fn real(&self, column: &'static str) -> Option<Option<f64>> {
        // SQLite rounds reals when it writes JSON, so packed rows never hold usable ones.
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

/// A count as SQLite stores it, at most 2⁶³ − 1.
pub(super) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A path as text. Fails if the path is not UTF-8.
pub(super) fn stored_path(
    table: &'static str,
    row: u32,
    column: &'static str,
    path: &Path,
) -> Result<String, DecodeError> {
    path.to_str().map(str::to_owned).ok_or_else(|| DecodeError {
        table,
        row: row.to_string(),
        column,
        problem: format!("the path {} is not UTF-8", path.display()),
    })
}
