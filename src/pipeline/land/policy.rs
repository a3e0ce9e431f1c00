//! What is kept of each column, decided before anything is written.
//!
//! A column that is dropped or pseudonymised leaves no readable trace: not in the snapshot, not in the rejects.

use super::header;
use crate::diagnostic::{Diagnostic, Place, Result};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What becomes of a column, from the mildest to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnPolicy {
    /// Every cell as it stands.
    Keep,
    /// Every cell as a keyed hash, the same for the same text: `p_` and 32 hex digits.
    Pseudonymise,
    /// Nothing until a person decides.
    Undecided,
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
    /// Those of them of which nobody decided.
    pub undecided: Vec<String>,
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
        let mut plan = Plan { fields: header.len(), columns: Vec::new(), dropped: Vec::new(), undecided: Vec::new() };
        for (field, (given, name)) in header.iter().zip(header::unique(header)).enumerate() {
            let pseudonym = match policy(given).max(policy(&name)) {
                ColumnPolicy::Keep => None,
                ColumnPolicy::Pseudonymise => Some(Pseudonym::new(file_name, &name, key)?),
                ColumnPolicy::Undecided => {
                    plan.undecided.push(name.clone());
                    plan.dropped.push(name);
                    continue;
                }
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

/// The text whose hash is a key's fingerprint. A cell that has it would have the same: it is no secret.
const FINGERPRINT: &str = "scorebook: the fingerprint of a pseudonym key";

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
        format!("p_{}", hex(&self.digest(cell)[..16]))
    }

    fn digest(&self, text: &str) -> [u8; 32] {
        self.0.clone().chain_update(text).finalize().into_bytes().into()
    }
}

/// What tells one key from another, and nothing else of it.
pub fn fingerprint(key: &[u8]) -> String {
    // A key of any length is one.
    let mac = Hmac::new_from_slice(key).map(Pseudonym);
    mac.map(|mac| hex(&mac.digest(FINGERPRINT)[..8])).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(digit.into(), 16).unwrap_or_default()).collect()
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
    fn what_nobody_decided_is_not_written_and_told_apart() {
        let header = ["Id", "Body", "New", "Body"].map(String::from);
        let policy = |name: &str| match name {
            "Body" => ColumnPolicy::Drop,
            "Id" => ColumnPolicy::Keep,
            _ => ColumnPolicy::Undecided,
        };
        let plan = Plan::new("a.csv", &header, &policy, None).unwrap();
        assert_eq!(plan.dropped, ["Body", "New", "Body_2"]);
        assert_eq!(plan.undecided, ["New"]);
        assert_eq!(plan.columns.len(), 1);
        assert!(plan.is_private());
    }

    #[test]
    fn keys_are_told_apart_by_their_fingerprints() {
        let of = |key: &str| fingerprint(key.as_bytes());
        assert_eq!(of("a key of sixteen bytes"), of("a key of sixteen bytes"));
        assert_ne!(of("a key of sixteen bytes"), of("a key of sixteen bytez"));
        assert_eq!(of("").len(), 16);
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
