//! Looks at scripted nodes.
