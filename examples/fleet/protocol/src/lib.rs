//! What hub, agents and operators of a fleet say to each other: the commands, their errors, and the traits of those that answer them.
//!
//! Both ends of a connection compile this crate and nothing else of each other.

use amp::{Arguments, Command, ErrorCodes, Reply, responder};

/// Logs an agent in. From then on the hub commands it under this name. If an agent of this name is there, the hub first asks it
/// whether it still is: this may take seconds.
#[derive(Command, Debug)]
#[amp(errors = LogInError)]
pub struct LogIn {
    #[constrain(length = 1..=32)]
    pub name: String,
    pub secret: String,
}

/// Logs an operator in. The other commands for operators are refused before it.
#[derive(Command, Debug)]
#[amp(errors = LogInError)]
pub struct LogInOperator {
    pub secret: String,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum LogInError {
    /// The connection ends: nobody guesses on at the speed of an open one.
    #[error("the secret is wrong")]
    #[amp(fatal)]
    WrongSecret,
    #[error("another agent of this name answers the hub")]
    NameTaken,
    #[error("this connection has logged in before")]
    LoggedInBefore,
}

/// Lists the agents that have logged in.
#[derive(Command, Debug)]
#[amp(response = Agents, errors = OperatorError)]
pub struct ListAgents;

#[derive(Arguments, Debug, PartialEq)]
pub struct Agents {
    pub names: Vec<String>,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum OperatorError {
    #[error("only an operator who has logged in may do that")]
    NotAnOperator,
}

/// Asks an agent for its status, through the hub.
#[derive(Command, Debug)]
#[amp(response = Status, errors = AgentError)]
pub struct StatusOf {
    pub name: String,
}

/// Tells an agent to end, through the hub.
#[derive(Command, Debug)]
#[amp(errors = AgentError)]
pub struct Dismiss {
    pub name: String,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum AgentError {
    #[error(transparent)]
    #[amp(include)]
    Operator(#[from] OperatorError),
    #[error("there is no agent {name}")]
    NoSuchAgent { name: String },
    /// It may have done what it was told.
    #[error("the agent {name} does not answer")]
    NotAnswering { name: String },
}

/// What the hub answers, to agents and to operators.
#[responder]
pub trait Hub {
    async fn log_in(&self, command: LogIn) -> Reply<LogIn>;
    async fn log_in_operator(&self, command: LogInOperator) -> Reply<LogInOperator>;
    async fn list_agents(&self, command: ListAgents) -> Reply<ListAgents>;
    async fn status_of(&self, command: StatusOf) -> Reply<StatusOf>;
    async fn dismiss(&self, command: Dismiss) -> Reply<Dismiss>;
}

/// Reports the status of the agent.
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
