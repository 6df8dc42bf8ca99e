//! Serves requests until its owner is gone.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crate::SOCKET;
use crate::launchd::Launchd;

pub fn serve(dir: &Path) {
    let socket = dir.join(SOCKET);
    std::fs::remove_file(&socket).ok();
    let launchd = Launchd::boot(dir);
    let listener = UnixListener::bind(&socket).expect("no socket");
    // All users of a machine share its launchd.
    std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o777)).expect("no socket");
    let listening = Arc::clone(&launchd);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let launchd = Arc::clone(&listening);
            thread::spawn(move || answer(&launchd, stream.expect("no connection")));
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new()).ok();
    launchd.end();
}

/// A caller that was killed meanwhile waits for no answer.
fn answer(launchd: &Arc<Launchd>, mut stream: UnixStream) {
    let mut line = String::new();
    let mut reader = BufReader::new(&stream);
    if reader.read_line(&mut line).is_ok()
        && let Ok(request) = serde_json::from_str(&line)
    {
        let answer = launchd.answer(&request);
        let text = serde_json::to_string(&answer).expect("answers are text");
        writeln!(stream, "{text}").ok();
    }
}
