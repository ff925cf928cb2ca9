//! Payments through scripted nodes.
