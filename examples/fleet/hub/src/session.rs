//! What the hub keeps of each connection: who it is, and what it may do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use amp::connection::{NewConnection, WeakConnection};
use amp::error::Escaped;
use amp::{CallError, ErrorCodes, Peer, Reply};
use fleet_protocol::{
    Agent, AgentError, Agents, Dismiss, Hub, Leave, ListAgents, LogIn, LogInError, LogInOperator, OperatorError,
    Report, StatusOf,
};

use crate::fleet::{Fleet, is_unanswered};

/// An agent cannot command others: operators have a secret of their own.
pub struct Secrets {
    pub agent: String,
    pub operator: String,
}

/// What a connection has logged in as.
enum Role {
    Nobody,
    /// Its log-in is not over yet.
    Entering,
    Agent {
        name: String,
    },
    Operator,
}

/// One connection, from its first command to its end.
pub struct HubSession {
    fleet: Arc<Fleet>,
    secrets: Arc<Secrets>,
    peer: Peer,
    connection: WeakConnection,
    role: Mutex<Role>,
}

impl HubSession {
    pub fn new(fleet: &Arc<Fleet>, secrets: &Arc<Secrets>, new: &NewConnection) -> Self {
        Self {
            fleet: Arc::clone(fleet),
            secrets: Arc::clone(secrets),
            peer: new.peer().clone(),
            connection: new.connection().clone(),
            role: Mutex::new(Role::Nobody),
        }
    }

    fn role(&self) -> MutexGuard<'_, Role> {
        self.role.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection logs in once, as an agent or as an operator; a second log-in is refused, also while the first is being checked.
    fn begin_log_in(&self, secret: &str, expected: &str) -> Result<(), LogInError> {
        let mut role = self.role();
        if !matches!(*role, Role::Nobody) {
            return Err(LogInError::LoggedInBefore);
        }
        if secret != expected {
            println!("{} has a wrong secret", self.peer);
            return Err(LogInError::WrongSecret);
        }
        *role = Role::Entering;
        Ok(())
    }

    fn require_operator(&self) -> Result<(), OperatorError> {
        if matches!(*self.role(), Role::Operator) { Ok(()) } else { Err(OperatorError::NotAnOperator) }
    }
}

/// The session ends with its connection, and the agent leaves the fleet with it.
impl Drop for HubSession {
    fn drop(&mut self) {
        if let Role::Agent { name } = &*self.role()
            && self.fleet.leave(name, &self.connection)
        {
            // A name may hold anything, also what moves the cursor of a terminal.
            println!("{} has left", Escaped(name));
        }
    }
}

impl Hub for HubSession {
    async fn log_in(&self, command: LogIn) -> Reply<LogIn> {
        self.begin_log_in(&command.secret, &self.secrets.agent)?;
        let name = command.name;
        if !self.fleet.enter(&name, &self.connection).await {
            *self.role() = Role::Nobody;
            return Err(LogInError::NameTaken.into());
        }
        // Before it is told of: to print panics when nobody reads it.
        *self.role() = Role::Agent { name: name.clone() };
        println!("{} has logged in", Escaped(&name));
        Ok(())
    }

    async fn log_in_operator(&self, command: LogInOperator) -> Reply<LogInOperator> {
        self.begin_log_in(&command.secret, &self.secrets.operator)?;
        *self.role() = Role::Operator;
        Ok(())
    }

    async fn list_agents(&self, _: ListAgents) -> Reply<ListAgents> {
        self.require_operator()?;
        Ok(Agents { names: self.fleet.names() })
    }

    async fn status_of(&self, command: StatusOf) -> Reply<StatusOf> {
        self.require_operator()?;
        let reply = self.fleet.agent(&command.name)?.report(Report).await;
        passed_on(reply, command.name)
    }

    async fn dismiss(&self, command: Dismiss) -> Reply<Dismiss> {
        self.require_operator()?;
        let reply = self.fleet.agent(&command.name)?.leave(Leave).await;
        passed_on(reply, command.name)
    }
}

/// The reply of an agent, to an operator.
fn passed_on<T, E: ErrorCodes>(reply: Result<T, CallError<E>>, name: String) -> Result<T, CallError<AgentError>> {
    if is_unanswered(&reply) {
        return Err(AgentError::NotAnswering { name }.into());
    }
    reply.map_err(CallError::forward)
}
