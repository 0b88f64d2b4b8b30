//! What a stranger would check: published vectors, and what a hostile one might send.

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod outside_tree;
#[cfg(test)]
mod vectors;
