//! Placeholder of the wire stage.
