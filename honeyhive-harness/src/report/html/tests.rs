use super::super::document::samples;
use super::super::document::{Against, Document};
use super::*;
