//! The agents that have logged in, by their names.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use amp::CallError;
use amp::connection::WeakConnection;
use amp::error::codes;
use fleet_protocol::{Agent, AgentClient, AgentError, Report};

/// How long an agent has to answer. An operator waits for it, and must not wait for ever.
const AGENT_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Default)]
pub struct Fleet {
    agents: Mutex<BTreeMap<String, Link>>,
    links: AtomicU64,
}

/// The connection of an agent. Another one may have taken its name since: a number tells them apart.
#[derive(Clone)]
pub struct Link {
    number: u64,
    /// A strong handle would keep the connection open for ever.
    connection: WeakConnection,
}

impl Link {
    /// A client of the agent. The hub calls agents as they call it: with a trait of the protocol.
    fn client(&self) -> Option<AgentClient> {
        Some(AgentClient::new(&self.connection.upgrade()?).with_timeout(AGENT_TIMEOUT))
    }

    /// Whether the agent still answers. A machine that has lost its power or its network says nothing, so the hub may hold a
    /// connection to it that leads nowhere.
    async fn answers(&self) -> bool {
        match self.client() {
            Some(agent) => !is_unanswered(&agent.report(Report).await),
            None => false,
        }
    }
}

/// Whether the agent has not answered, not even with an error of its own: one whose connection closes begins nothing any more.
pub fn is_unanswered<T, E>(reply: &Result<T, CallError<E>>) -> bool {
    let Err(error) = reply else { return false };
    matches!(error, CallError::Timeout { .. } | CallError::Connection { .. })
        || error.remote_code() == Some(codes::DRAINING)
}

impl Fleet {
    fn agents(&self) -> MutexGuard<'_, BTreeMap<String, Link>> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn link(&self, connection: &WeakConnection) -> Link {
        Link { number: self.links.fetch_add(1, Ordering::Relaxed), connection: connection.clone() }
    }

    /// Lets an agent take its name. An agent that comes back takes it from its own old link, if that does not answer. Returns `false`
    /// if another agent has the name.
    pub async fn enter(&self, name: &str, link: &Link) -> bool {
        loop {
            let old = match self.agents().entry(name.to_owned()) {
                Entry::Vacant(free) => {
                    free.insert(link.clone());
                    return true;
                }
                Entry::Occupied(taken) => taken.get().clone(),
            };
            if old.answers().await {
                return false;
            }
            self.leave(name, &old);
            if let Some(lost) = old.connection.upgrade() {
                lost.abort();
            }
        }
    }

    /// Frees the name, if this link still has it. Returns whether it had.
    pub fn leave(&self, name: &str, link: &Link) -> bool {
        let mut agents = self.agents();
        let is_held = agents.get(name).is_some_and(|held| held.number == link.number);
        if is_held {
            agents.remove(name);
        }
        is_held
    }

    pub fn names(&self) -> Vec<String> {
        self.agents().keys().cloned().collect()
    }

    pub fn agent(&self, name: &str) -> Result<AgentClient, AgentError> {
        let client = self.agents().get(name).and_then(Link::client);
        client.ok_or_else(|| AgentError::NoSuchAgent { name: name.to_owned() })
    }
}
