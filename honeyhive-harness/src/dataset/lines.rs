//! Counts the lines of a text.

/// Returns the number of the line that starts after these bytes, which must not end between the two
/// bytes of a `\r\n`. A line ends with `\n`, `\r\n` or `\r`.
pub(super) fn line_of(before: &[u8]) -> usize {
    let ends = before.iter().enumerate().filter(|(at, byte)| match byte {
        b'\n' => true,
        b'\r' => before.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    ends.count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_three_ways() {
        for (before, line) in
            [("", 1), ("a\n", 2), ("a\r\nb", 2), ("a\rb", 2), ("a\r\rb\n\n", 5), ("a\r", 2)]
        {
            assert_eq!(line_of(before.as_bytes()), line, "{before:?}");
        }
    }
}
