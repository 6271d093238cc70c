//! The agents that have logged in, by their names.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use amp::CallError;
use amp::connection::WeakConnection;
use amp::error::codes;
use fleet_protocol::{Agent, AgentClient, AgentError, Report};

/// How long an agent has to answer. An operator waits for it, and must not wait for ever.
const AGENT_TIMEOUT: Duration = Duration::from_secs(2);

/// The connections of the agents. Strong handles would keep them open for ever.
#[derive(Default)]
pub struct Fleet {
    agents: Mutex<BTreeMap<String, WeakConnection>>,
}

/// A client of an agent. The hub calls agents as they call it: with a trait of the protocol.
fn client_of(agent: &WeakConnection) -> Option<AgentClient> {
    Some(AgentClient::new(&agent.upgrade()?).with_timeout(AGENT_TIMEOUT))
}

/// Whether the agent still answers. A machine that has lost its power or its network says nothing, so the hub may hold a
/// connection to it that leads nowhere.
async fn answers(agent: &WeakConnection) -> bool {
    match client_of(agent) {
        Some(agent) => !is_unanswered(&agent.report(Report).await),
        None => false,
    }
}

/// Whether the agent has not answered, not even with an error of its own: one whose connection closes begins nothing any more.
pub fn is_unanswered<T, E>(reply: &Result<T, CallError<E>>) -> bool {
    let Err(error) = reply else { return false };
    matches!(error, CallError::Timeout { .. } | CallError::Connection { .. })
        || error.remote_code() == Some(codes::DRAINING)
}

impl Fleet {
    fn agents(&self) -> MutexGuard<'_, BTreeMap<String, WeakConnection>> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets an agent take its name. An agent that comes back takes it from its own old connection, if that does not
    /// answer. Returns `false` if another agent has the name.
    pub async fn enter(&self, name: &str, agent: &WeakConnection) -> bool {
        loop {
            let old = match self.agents().entry(name.to_owned()) {
                Entry::Vacant(free) => {
                    free.insert(agent.clone());
                    return true;
                }
                Entry::Occupied(taken) => taken.get().clone(),
            };
            if answers(&old).await {
                return false;
            }
            self.leave(name, &old);
            if let Some(lost) = old.upgrade() {
                lost.abort();
            }
        }
    }

    /// Frees the name, if this connection still has it: another one may have taken it since. Returns whether it had.
    pub fn leave(&self, name: &str, agent: &WeakConnection) -> bool {
        let mut agents = self.agents();
        let is_held = agents.get(name).is_some_and(|held| held.is_same(agent));
        if is_held {
            agents.remove(name);
        }
        is_held
    }

    pub fn names(&self) -> Vec<String> {
        self.agents().keys().cloned().collect()
    }

    pub fn agent(&self, name: &str) -> Result<AgentClient, AgentError> {
        let client = self.agents().get(name).and_then(client_of);
        client.ok_or_else(|| AgentError::NoSuchAgent { name: name.to_owned() })
    }
}
