use crate::exposed::equal;
use crate::schema::CommandDeclaration;

/// The commands that one locator answers, all of different names.
#[derive(Debug)]
pub struct Commands<const MAX: usize> {
    commands: [Option<CommandDeclaration>; MAX],
    count: usize,
}

impl<const MAX: usize> Commands<MAX> {
    pub const NONE: Self = Self { commands: [None; MAX], count: 0 };

    /// Adds a command. Evaluated at compile time, it fails at the call if there is one of that name.
    #[track_caller]
    #[must_use]
    pub const fn and(mut self, command: CommandDeclaration) -> Self {
        let mut at = 0;
        while at < self.count {
            if let Some(earlier) = &self.commands[at] {
                assert!(
                    !equal(earlier.name, command.name),
                    "two methods answer commands of one name: rename one with `#[amp(name = \"..\")]`, or remove one method"
                );
            }
            at += 1;
        }
        self.commands[self.count] = Some(command);
        self.count += 1;
        self
    }

    #[must_use]
    pub const fn as_slice(&self) -> &[Option<CommandDeclaration>] {
        &self.commands
    }

    #[must_use]
    pub fn to_vec(&self) -> Vec<CommandDeclaration> {
        self.commands.iter().flatten().copied().collect()
    }
}

/// Evaluated at compile time, it fails at the call if two traits, of which one extends the other or a third extends both, have
/// commands of one name.
#[track_caller]
pub const fn traits_stand_apart(some: &[Option<CommandDeclaration>], others: &[Option<CommandDeclaration>]) {
    let mut a = 0;
    while a < some.len() {
        let mut b = 0;
        while b < others.len() {
            if let (Some(one), Some(other)) = (&some[a], &others[b]) {
                assert!(
                    !equal(one.name, other.name),
                    "this trait has a command of the same name as another trait here: rename one with `#[amp(name = \"..\")]`, or \
                     remove one method"
                );
            }
            b += 1;
        }
        a += 1;
    }
}
