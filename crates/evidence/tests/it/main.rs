//! What a stranger would check: published vectors.

#[cfg(test)]
mod vectors;
