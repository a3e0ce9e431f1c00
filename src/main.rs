//! Parse, resolve, dispatch, print the error, exit code.
fn main() {}
