//! What hub, agents and operators of a fleet say to each other: the commands, their errors, and the traits of those that answer them.
//!
//! Both ends of a connection compile this crate and nothing else of each other.

use amp::{Arguments, Command, ErrorCodes, Reply, responder};

/// An agent says who it is. From then on the hub commands it under this name.
#[derive(Command, Debug)]
#[amp(errors = LogInError)]
pub struct LogIn {
    #[constrain(length = 1..=32)]
    pub name: String,
    pub secret: String,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum LogInError {
    #[error("the secret is wrong")]
    WrongSecret,
    #[error("an agent of this name is there")]
    NameTaken,
    #[error("this agent has logged in before")]
    LoggedInBefore,
}

/// Lists the agents that have logged in.
#[derive(Command, Debug)]
#[amp(response = Agents)]
pub struct ListAgents;

#[derive(Arguments, Debug, PartialEq)]
pub struct Agents {
    pub names: Vec<String>,
}

/// Asks an agent how it is, through the hub.
#[derive(Command, Debug)]
#[amp(response = Status, errors = AgentError)]
pub struct StatusOf {
    pub name: String,
}

/// Sends an agent away, through the hub.
#[derive(Command, Debug)]
#[amp(errors = AgentError)]
pub struct Dismiss {
    pub name: String,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum AgentError {
    #[error("there is no agent {name}")]
    NoSuchAgent { name: String },
}

/// What the hub answers, to agents and to operators.
#[responder]
pub trait Hub {
    async fn log_in(&self, command: LogIn) -> Reply<LogIn>;
    async fn list_agents(&self, command: ListAgents) -> Reply<ListAgents>;
    async fn status_of(&self, command: StatusOf) -> Reply<StatusOf>;
    async fn dismiss(&self, command: Dismiss) -> Reply<Dismiss>;
}

/// Reports how the agent is.
#[derive(Command, Debug)]
#[amp(response = Status)]
pub struct Report;

#[derive(Arguments, Debug, PartialEq)]
pub struct Status {
    pub process: u32,
    /// How many commands of the hub it has answered, this one included.
    pub answered: u64,
}

/// Tells the agent to end.
#[derive(Command, Debug)]
pub struct Leave;

/// What an agent answers, to the hub.
#[responder]
pub trait Agent {
    async fn report(&self, command: Report) -> Reply<Report>;
    async fn leave(&self, command: Leave) -> Reply<Leave>;
}
