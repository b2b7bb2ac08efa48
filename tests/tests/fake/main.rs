//! Tests the fake HoneyHive server with a client that follows all rules, and one that breaks each
//! of them.
//!
//! A server that accepts everything would make all tests that use it worthless. So for each rule
//! there is a request here that breaks only this rule, and must be refused.

mod client;
mod faults;
mod headers;
mod rest;
mod traces;
