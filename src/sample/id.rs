//! Record ids in Salesforce's form: three characters for the kind, twelve that count, three that guard the case.

/// What a record is, by its id's first three characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person.
    User,
    /// A customer, or one to be.
    Account,
    /// Somebody who may become one.
    Lead,
    /// A deal.
    Opportunity,
    /// A deal's state at one moment.
    OpportunityHistory,
    /// A call, an e-mail or a thing to do.
    Task,
    /// A meeting.
    Event,
    /// What is sold.
    Product,
    /// A product in a deal.
    LineItem,
    /// A share of a deal.
    Split,
    /// An offer.
    Quote,
    /// A change of a deal's owner.
    FieldHistory,
}

/// A record's id: its kind, the rep's book it was written in, and its number there.
///
/// Because the book is part of it, one rep more does not renumber the others' records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id {
    kind: Kind,
    book: usize,
    number: usize,
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const GUARDS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

impl Id {
    /// The id of a record of that kind.
    pub fn new(kind: Kind, book: usize, number: usize) -> Id {
        Id { kind, book, number }
    }

    /// The id of a record's n-th part; a record has less than 64 of them.
    pub fn child(self, kind: Kind, part: usize) -> Id {
        Id { kind, book: self.book, number: self.number * 64 + part }
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.kind
    }

    /// The number of the book it was written in.
    pub fn book(self) -> usize {
        self.book
    }

    /// Its number within the book.
    pub fn number(self) -> usize {
        self.number
    }

    /// The eighteen characters as text.
    pub fn text(self) -> String {
        self.letters().into_iter().map(char::from).collect()
    }

    /// The eighteen characters.
    pub fn letters(self) -> [u8; 18] {
        let prefix = match self.kind {
            Kind::User => b"005",
            Kind::Account => b"001",
            Kind::Lead => b"00Q",
            Kind::Opportunity => b"006",
            Kind::OpportunityHistory => b"008",
            Kind::Task => b"00T",
            Kind::Event => b"00U",
            Kind::Product => b"01t",
            Kind::LineItem => b"00k",
            Kind::Split => b"1Yx",
            Kind::Quote => b"0Q0",
            Kind::FieldHistory => b"017",
        };
        let mut text = [b'0'; 18];
        text[..3].copy_from_slice(prefix);
        text[3..6].copy_from_slice(b"Ab5");
        let mut rest = self.book as u64 * 10_000_000 + self.number as u64;
        for place in (6..15).rev() {
            text[place] = DIGITS[(rest % 62) as usize];
            rest /= 62;
        }
        // One bit for each of five characters: is it a capital letter?
        let mut capitals = [0; 3];
        for place in 0..15 {
            if text[place].is_ascii_uppercase() {
                capitals[place / 5] |= 1 << (place % 5);
            }
        }
        for block in 0..3 {
            text[15 + block] = GUARDS[capitals[block]];
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_whole_and_never_the_same() {
        let ids: BTreeSet<_> = (0..3000).map(|n| Id::new(Kind::Lead, n % 50, n).text()).collect();
        assert_eq!(ids.len(), 3000);
        assert_eq!(Id::new(Kind::Opportunity, 1, 17).text(), "006Ab500000fxSbIAI");
        assert_eq!(Id::new(Kind::Opportunity, 1, 17).text()[..6], *"006Ab5");
    }
}
