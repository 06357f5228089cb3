"""The edges: conversions between a platform and an Inquiry or an Answer, and no decisions."""
