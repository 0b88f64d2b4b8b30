//! What a stranger would check: published vectors.

#[cfg(test)]
mod outside_tree;
#[cfg(test)]
mod vectors;
