//! The firewalls that a machine may have. [`SystemFirewall`] is what a machine's setting `firewall` comes to.

mod firewalld;
mod nftables;
mod root;
mod rules;
mod system;
mod ufw;

#[cfg(test)]
mod testing;

pub use system::SystemFirewall;
