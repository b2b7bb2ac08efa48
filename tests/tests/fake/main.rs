//! The fake HoneyHive against a client that does everything right, and everything wrong.
//!
//! A server that takes whatever comes would make all tests that stand on it worthless. So for each
//! rule there is a request here that breaks it and nothing else, and must be complained about.

mod client;
mod faults;
mod headers;
mod rest;
mod traces;
