//! What is kept of each column, decided before anything is written.
//!
//! A column that is dropped or pseudonymised leaves no readable trace: not in the snapshot, not in the rejects.

use super::header;
use crate::diagnostic::{Diagnostic, Place, Result};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// What becomes of a column, from the mildest to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnPolicy {
    /// Every cell as it stands.
    Keep,
    /// Every cell as a keyed hash, the same for the same text: `p_` and 32 hex digits.
    Pseudonymise,
    /// Nothing.
    Drop,
}

/// A column that is written.
pub struct Column {
    /// Its name in the snapshot.
    pub name: String,
    /// Its place in a record, counted from 0.
    pub field: usize,
    /// Hashes its cells, if they are pseudonymised.
    pub pseudonym: Option<Pseudonym>,
}

/// What is written of a file.
pub struct Plan {
    /// How many fields a record has.
    pub fields: usize,
    /// The columns to write, in the header's order.
    pub columns: Vec<Column>,
    /// The names of the columns that are not written.
    pub dropped: Vec<String>,
}

impl Plan {
    /// Asks `policy` for every column of the header.
    ///
    /// A repeated column is asked for under both of its names, the header's and the unique one, and the stricter answer
    /// counts: a second `Description` is as private as the first. Pseudonyms without a key are a project error.
    pub fn new(
        file_name: &str,
        header: &[String],
        policy: &dyn Fn(&str) -> ColumnPolicy,
        key: Option<&[u8]>,
    ) -> Result<Plan> {
        let mut plan = Plan { fields: header.len(), columns: Vec::new(), dropped: Vec::new() };
        for (field, (given, name)) in header.iter().zip(header::unique(header)).enumerate() {
            let pseudonym = match policy(given).max(policy(&name)) {
                ColumnPolicy::Keep => None,
                ColumnPolicy::Pseudonymise => Some(Pseudonym::new(file_name, &name, key)?),
                ColumnPolicy::Drop => {
                    plan.dropped.push(name);
                    continue;
                }
            };
            plan.columns.push(Column { name, field, pseudonym });
        }
        Ok(plan)
    }

    /// Whether a record's raw text would show what the policy hides.
    pub fn is_private(&self) -> bool {
        self.columns.len() < self.fields || self.columns.iter().any(|column| column.pseudonym.is_some())
    }
}

/// HMAC-SHA-256 under the project's key.
pub struct Pseudonym(Hmac<Sha256>);

impl Pseudonym {
    fn new(file_name: &str, column: &str, key: Option<&[u8]>) -> Result<Pseudonym> {
        match key.filter(|key| !key.is_empty()).map(Hmac::new_from_slice) {
            Some(Ok(mac)) => Ok(Pseudonym(mac)),
            _ => Err(Diagnostic::project(format!("no key to pseudonymise column `{column}`"))
                .at(Place::file(file_name))
                .help("set the pseudonym key, or `drop` the column")),
        }
    }

    /// The pseudonym of a cell.
    pub fn of(&self, cell: &str) -> String {
        let digest = self.0.clone().chain_update(cell).finalize().into_bytes();
        let mut text = String::with_capacity(34);
        text.push_str("p_");
        for byte in &digest[..16] {
            text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or_default()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(header: &[&str], key: Option<&[u8]>) -> Result<Plan> {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        let policy = |name: &str| match name {
            "Body" => ColumnPolicy::Drop,
            "Email" => ColumnPolicy::Pseudonymise,
            _ => ColumnPolicy::Keep,
        };
        Plan::new("a.csv", &header, &policy, key)
    }

    #[test]
    fn a_repeated_column_is_as_private_as_its_name() {
        let plan = plan(&["Id", "Body", "Email", "Body", "Email"], Some(b"k")).unwrap();
        assert_eq!(plan.dropped, ["Body", "Body_2"]);
        let hashed = plan.columns.iter().map(|column| (column.name.as_str(), column.pseudonym.is_some()));
        assert_eq!(hashed.collect::<Vec<_>>(), [("Id", false), ("Email", true), ("Email_2", true)]);
        assert!(plan.is_private());
    }

    #[test]
    fn pseudonyms_need_a_key() {
        assert!(!plan(&["Id"], None).unwrap().is_private());
        for key in [None, Some(b"".as_slice())] {
            let error = plan(&["Email"], key).err().unwrap();
            assert_eq!(error.kind, crate::diagnostic::Kind::Project);
            assert!(error.message.contains("Email"));
        }
    }

    #[test]
    fn a_pseudonym_is_hmac_sha_256() {
        // RFC 4231, test case 2.
        let pseudonym = Pseudonym::new("", "", Some(b"Jefe")).unwrap();
        assert_eq!(pseudonym.of("what do ya want for nothing?"), "p_5bdcc146bf60754e6a042426089575c7");
    }
}
