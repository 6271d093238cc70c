//! Streams over pairs of connections, against a scripted peer that speaks txampext's three commands as its authors wrote
//! them, and over a path that is long. Each test is named as the statement it proves.

mod behind_an_end;
mod bounds;
mod busy;
mod byte_strings;
mod clients;
mod closing;
mod connecting;
mod ends;
mod fairness;
mod faults_of_multiplexers;
mod faults_of_txampext;
mod forwards;
mod isolation;
mod leaving;
mod limits;
mod long_path;
mod loss;
mod memory;
mod order;
mod raw;
mod runtimes;
mod serving;
mod silence;
mod sockets;
mod storm;
mod support;
mod targets;

mod whole;
