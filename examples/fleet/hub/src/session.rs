//! What the hub keeps: the fleet, and of each connection who it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use amp::connection::{NewConnection, WeakConnection};
use amp::{CallError, Peer, Reply};
use fleet_protocol::{
    Agent, AgentClient, AgentError, Agents, Dismiss, Hub, Leave, ListAgents, LogIn, LogInError, Report, StatusOf,
};

/// How long an agent has to answer. An operator waits for it, and must not wait for good.
const PATIENCE: Duration = Duration::from_secs(5);

/// The agents that have logged in, by their names.
pub struct Fleet {
    secret: String,
    agents: Mutex<BTreeMap<String, WeakConnection>>,
}

impl Fleet {
    pub fn new(secret: &str) -> Self {
        Self { secret: secret.to_owned(), agents: Mutex::default() }
    }

    fn agents(&self) -> MutexGuard<'_, BTreeMap<String, WeakConnection>> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client of the agent. The hub calls agents as they call it: with a trait of the protocol.
    fn agent(&self, name: &str) -> Result<AgentClient, AgentError> {
        let connection = self.agents().get(name).and_then(WeakConnection::upgrade);
        let connection = connection.ok_or_else(|| AgentError::NoSuchAgent { name: name.to_owned() })?;
        Ok(AgentClient::new(&connection).with_timeout(PATIENCE))
    }
}

/// One connection, from its first command to its end.
pub struct HubSession {
    fleet: Arc<Fleet>,
    peer: Peer,
    /// A strong handle would keep the connection open for good.
    connection: WeakConnection,
    name: OnceLock<String>,
}

impl HubSession {
    pub fn new(fleet: &Arc<Fleet>, new: &NewConnection) -> Self {
        let (peer, connection) = (new.peer().clone(), new.connection().clone());
        Self { fleet: Arc::clone(fleet), peer, connection, name: OnceLock::new() }
    }
}

/// The session goes with its connection, and the agent leaves the fleet with it.
impl Drop for HubSession {
    fn drop(&mut self) {
        if let Some(name) = self.name.get() {
            self.fleet.agents().remove(name);
            println!("{name} has left");
        }
    }
}

impl Hub for HubSession {
    async fn log_in(&self, command: LogIn) -> Reply<LogIn> {
        if command.secret != self.fleet.secret {
            println!("{} has a wrong secret", self.peer);
            return Err(LogInError::WrongSecret.into());
        }
        let mut agents = self.fleet.agents();
        if agents.contains_key(&command.name) {
            return Err(LogInError::NameTaken.into());
        }
        self.name.set(command.name.clone()).map_err(|_| LogInError::LoggedInBefore)?;
        println!("{} has logged in", command.name);
        agents.insert(command.name, self.connection.clone());
        Ok(())
    }

    async fn list_agents(&self, _: ListAgents) -> Reply<ListAgents> {
        Ok(Agents { names: self.fleet.agents().keys().cloned().collect() })
    }

    async fn status_of(&self, command: StatusOf) -> Reply<StatusOf> {
        self.fleet.agent(&command.name)?.report(Report).await.map_err(CallError::forward)
    }

    async fn dismiss(&self, command: Dismiss) -> Reply<Dismiss> {
        self.fleet.agent(&command.name)?.leave(Leave).await.map_err(CallError::forward)
    }
}
