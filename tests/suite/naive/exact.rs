//! Exact numbers.

use super::metrics::ONE;

/// `n / d`, in lowest terms, `d` above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    pub n: i128,
    pub d: i128,
}

impl Exact {
    pub fn over(n: i128, d: i128) -> Option<Exact> {
        let common = common(n.abs(), d.abs()).max(1) * d.signum();
        (d != 0).then(|| Exact { n: n / common, d: d / common })
    }

    pub fn whole(n: i128) -> Exact {
        Exact { n, d: 1 }
    }

    pub fn millionths(n: i128) -> Exact {
        Exact::over(n, 1_000_000).unwrap()
    }

    pub fn trillionths(n: i128) -> Exact {
        Exact::over(n, ONE).unwrap()
    }

    pub fn by(self, other: Exact) -> Option<Exact> {
        Exact::over(self.n * other.d, self.d * other.n)
    }

    pub fn to_f64(self) -> f64 {
        self.n as f64 / self.d as f64
    }
}

/// The greatest common divisor.
fn common(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { common(b, a % b) }
}
