//! A table that comes out of SQLite as one value.
//!
//! The driver hands every row to our thread by waking it, and every value in memory of its own, so that both threads
//! spend most of their time waiting for each other. With one text for all, the detailed report of a thousand nodes takes
//! 20 ms where it took 47.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{IdenStatic, Iterable, QueryResult};
use serde_json::Value;

/// All rows of a table in no order: a line each, with a JSON array of all columns. For a blob, which JSON has no word
/// for, stands an empty object.
pub(super) fn pack<C: Iterable + IdenStatic>(table: &str) -> SimpleExpr {
    let value = |column: C| {
        // With its table, or SQLite takes the name of a column that is not there for a text.
        let name = format!(r#""{table}"."{}""#, column.as_str());
        format!("iif(typeof({name}) = 'blob', json('{{}}'), {name})")
    };
    let values: Vec<String> = C::iter().map(value).collect();
    Expr::cust(format!(
        "group_concat(json_array({}), char(10))",
        values.join(", ")
    ))
}

/// Where each column is in a packed row.
pub(super) struct Places(HashMap<&'static str, usize>);

impl Places {
    pub fn of<C: Iterable + IdenStatic>() -> Self {
        let columns = C::iter().enumerate();
        Self(
            columns
                .map(|(place, column)| (column.as_str(), place))
                .collect(),
        )
    }
}

/// The rows of a packed table: no text at all for one without rows.
pub(super) struct PackedRows(Option<String>);

impl PackedRows {
    /// `None` where a text is no UTF-8.
    pub fn of(result: &QueryResult) -> Option<Self> {
        result.try_get_by_index(0).ok().map(Self)
    }

    /// Each row; `None` for one with a number beyond all limits.
    pub fn rows<'a>(&'a self, places: &'a Places) -> impl Iterator<Item = Option<PackedRow<'a>>> {
        let lines = self.0.iter().flat_map(|text| text.split('\n'));
        lines.map(|line| {
            let values = serde_json::from_str(line).ok()?;
            Some(PackedRow { places, values })
        })
    }
}

/// A packed row.
pub(super) struct PackedRow<'a> {
    places: &'a Places,
    values: Vec<Value>,
}

impl PackedRow<'_> {
    /// The value of a column.
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.values.get(*self.places.0.get(column)?)
    }
}
