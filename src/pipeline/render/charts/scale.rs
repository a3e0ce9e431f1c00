//! From values to heights, on a scale with round numbers.
//!
//! Its one constraint: zero is always on it, so that no chart exaggerates.

/// A vertical scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    step: f64,
    top: f64,
    bottom: f64,
}

impl Scale {
    /// A scale for these values between two heights; `top` is the smaller y.
    pub fn new(values: impl IntoIterator<Item = f64>, top: f64, bottom: f64) -> Scale {
        let (low, high) = values.into_iter().fold((0.0_f64, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        let high = if high - low > 0.0 { high } else { 1.0 };
        let step = round_step((high - low) / 4.0);
        Scale { low: (low / step).floor() * step, high: (high / step).ceil() * step, step, top, bottom }
    }

    /// The height of a value.
    pub fn y(&self, value: f64) -> f64 {
        let part = (value - self.low) / (self.high - self.low);
        self.bottom - part * (self.bottom - self.top)
    }

    /// The round values to draw lines at, lowest first.
    pub fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        let (low, step) = (self.low, self.step);
        let count = ((self.high - self.low) / self.step).round() as usize;
        (0..=count).map(move |i| low + step * i as f64)
    }
}

/// The next of 1, 2, 2.5, 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let mut power = 1e-6;
    while power * 10.0 <= step {
        power *= 10.0;
    }
    [1.0, 2.0, 2.5, 5.0].into_iter().map(|factor| factor * power).find(|round| *round >= step).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_zero_and_all_values() {
        let scale = Scale::new([-120.0, 340.0], 0.0, 100.0);
        let ticks: Vec<f64> = scale.ticks().collect();
        assert_eq!(ticks, [-200.0, 0.0, 200.0, 400.0]);
        assert_eq!((scale.y(-200.0), scale.y(400.0)), (100.0, 0.0));
        assert_eq!(Scale::new([], 0.0, 100.0).ticks().last(), Some(1.0));
    }
}
