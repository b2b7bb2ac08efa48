//! Says which values are not written into a record, as serde's `skip_serializing_if` asks.

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
pub(super) fn is_false(yes: &bool) -> bool {
    !*yes
}
