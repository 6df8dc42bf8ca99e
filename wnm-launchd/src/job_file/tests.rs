//! Checks rendered job files with our own and another property list parser.

use std::io::Write;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

/// Reads one hex-encoded file per line, and prints its values as hex-encoded UTF-8, one file per
/// line.
const PYTHON: &str = "
import plistlib, sys
for line in sys.stdin:
    job = plistlib.loads(bytes.fromhex(line))
    values = [job['Label'], *job['ProgramArguments'], job['WorkingDirectory'], job['StandardOutPath']]
    for key, value in sorted(job.get('EnvironmentVariables', {}).items()):
        values += [key, value]
    print(','.join(word.encode().hex() for word in values))
";

fn job(root: &str) -> JobFile {
    JobFile {
        label: Label::parse("com.autonomi.antnode-7").unwrap(),
        program: Path::new(root).join("antnode"),
        args: ["--root-dir", root, "--say", "a < \"b\" & 'c'"]
            .map(OsString::from)
            .into(),
        environment: vec![("NOTE".into(), "]]> &amp;".into())],
        root_dir: root.into(),
        output: "/logs/antnode0007/antnode.out".into(),
        user: None,
        background: false,
    }
}

#[test]
fn renders_a_user_job() {
    assert_snapshot!(job("/n/a b/antnode0007").render().unwrap(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
    <!-- Written by wnm, which may write it again. -->
    <plist version="1.0">
    <dict>
    	<key>Label</key>
    	<string>com.autonomi.antnode-7</string>
    	<key>ProgramArguments</key>
    	<array>
    		<string>/n/a b/antnode0007/antnode</string>
    		<string>--root-dir</string>
    		<string>/n/a b/antnode0007</string>
    		<string>--say</string>
    		<string>a &lt; &quot;b&quot; &amp; &apos;c&apos;</string>
    	</array>
    	<key>WorkingDirectory</key>
    	<string>/n/a b/antnode0007</string>
    	<key>EnvironmentVariables</key>
    	<dict>
    		<key>NOTE</key>
    		<string>]]&gt; &amp;amp;</string>
    	</dict>
    	<key>RunAtLoad</key>
    	<true/>
    	<key>KeepAlive</key>
    	<true/>
    	<key>ThrottleInterval</key>
    	<integer>10</integer>
    	<key>ExitTimeOut</key>
    	<integer>20</integer>
    	<key>ProcessType</key>
    	<string>Standard</string>
    	<key>SoftResourceLimits</key>
    	<dict>
    		<key>NumberOfFiles</key>
    		<integer>10240</integer>
    	</dict>
    	<key>HardResourceLimits</key>
    	<dict>
    		<key>NumberOfFiles</key>
    		<integer>10240</integer>
    	</dict>
    	<key>StandardOutPath</key>
    	<string>/logs/antnode0007/antnode.out</string>
    	<key>StandardErrorPath</key>
    	<string>/logs/antnode0007/antnode.out</string>
    </dict>
    </plist>
    "#);
}

#[test]
fn a_system_job_names_its_account_and_a_background_job_its_session() {
    let mut job = job("/n");
    job.user = Some("ant".to_owned());
    job.background = true;
    job.environment.clear();
    let read = Value::from_reader_xml(job.render().unwrap().as_bytes()).unwrap();
    let read = read.into_dictionary().unwrap();
    assert_eq!(read.get("UserName").unwrap().as_string(), Some("ant"));
    let session = read.get("LimitLoadToSessionType").unwrap().as_string();
    assert_eq!(session, Some("Background"));
    assert!(!read.contains_key("EnvironmentVariables"));
}

#[test]
fn rejects_what_a_property_list_cannot_hold() {
    use std::os::unix::ffi::OsStringExt;
    for root in ["relative", "", "/a\nb", "/a\u{0}b", "/a\u{ffff}"] {
        job(root).render().unwrap_err();
    }
    for bad in [
        OsString::from("\u{1b}"),
        "\r".into(),
        OsString::from_vec(vec![0xff]),
    ] {
        let mut with = job("/n");
        with.args.push(bad.clone());
        with.render().unwrap_err();
        let mut with = job("/n");
        with.environment[0].1 = bad;
        with.render().unwrap_err();
    }
    let mut with = job("/n");
    with.environment[0].0 = "A=B".into();
    let error = with.render().unwrap_err().to_string();
    assert_eq!(error, "'A=B' is not a valid variable name");
}

/// Strings with markup, surrounding spaces and other scripts, and empty ones.
fn awkward_text() -> impl Strategy<Value = String> {
    let markup = prop::sample::select(vec![
        "</string>",
        "<plist>",
        "<!--",
        "-->",
        "]]>",
        "<![CDATA[",
        "&amp;",
        "&#0;",
        "%s",
        "$HOME",
        "\"",
        "'",
        "\\",
        "  ",
        "{}",
        "é",
        "\u{1f41c}",
        "\u{2028}",
        "\u{feff}",
        "a",
        "--port",
    ]);
    let words = prop::collection::vec(markup, 0..6).prop_map(|parts| parts.concat());
    prop_oneof![words, "\\PC{0,40}", " {0,3}[a-z]{0,3} {0,3}"]
}

fn awkward_job() -> impl Strategy<Value = JobFile> {
    let variable = ("[A-Z&<]{1,8}", awkward_text());
    (
        awkward_text(),
        prop::collection::vec(awkward_text(), 0..8),
        prop::collection::btree_map(variable.0, variable.1, 0..3),
    )
        .prop_map(|(dir, args, environment)| JobFile {
            root_dir: format!("/n/{dir}").into(),
            output: format!("/logs/{dir}/antnode.out").into(),
            program: format!("/n/{dir}/antnode").into(),
            args: args.into_iter().map(OsString::from).collect(),
            environment: environment
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
            ..job("/n")
        })
}

/// Returns the values of a job in the order in which Python prints them.
fn values(job: &JobFile) -> Vec<String> {
    let text = |words: &OsStr| words.to_str().unwrap().to_owned();
    let mut all = vec![job.label.to_string(), text(job.program.as_ref())];
    all.extend(job.args.iter().map(|arg| text(arg)));
    all.extend([text(job.root_dir.as_ref()), text(job.output.as_ref())]);
    for (key, value) in &job.environment {
        all.extend([text(key), text(value)]);
    }
    all
}

/// Returns the values of each file, or `None` if the test is skipped because there is no Python.
fn read_by_python(files: &[String]) -> Option<Vec<Vec<String>>> {
    let spawned = Command::new("python3")
        .args(["-c", PYTHON])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = spawned else {
        wnm_tests::real::skip("needs python3 to read property lists");
        return None;
    };
    let mut stdin = python.stdin.take().unwrap();
    let text: String = files.iter().map(|file| hex(file) + "\n").collect();
    // Write in a thread of its own, or both sides could block on a full pipe.
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "python3 cannot read {files:#?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let words = |line: &str| line.split(',').map(from_hex).collect();
    Some(printed.lines().map(words).collect())
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(hex: &str) -> String {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    String::from_utf8((0..hex.len()).step_by(2).map(byte).collect()).unwrap()
}

fn read_by_plist_crate(plist: &str) -> Vec<String> {
    let read = Value::from_reader(std::io::Cursor::new(plist.as_bytes())).unwrap();
    let job = read.into_dictionary().unwrap();
    let text = |value: &Value| value.as_string().unwrap().to_owned();
    let value = |key: &str| text(job.get(key).unwrap());
    let arguments = job.get("ProgramArguments").unwrap().as_array().unwrap();
    let mut all = vec![value("Label")];
    all.extend(arguments.iter().map(text));
    all.extend([value("WorkingDirectory"), value("StandardOutPath")]);
    if let Some(variables) = job.get("EnvironmentVariables") {
        let mut variables: Vec<_> = variables.as_dictionary().unwrap().iter().collect();
        variables.sort_by_key(|(key, _)| key.as_str());
        for (key, variable) in variables {
            all.extend([key.clone(), text(variable)]);
        }
    }
    all
}

proptest! {
    #[test]
    fn every_value_survives_a_round_trip(job in awkward_job()) {
        let plist = job.render().unwrap();
        prop_assert_eq!(read_by_plist_crate(&plist), values(&job));
        let mark = plist.find(MARK).unwrap();
        prop_assert!(mark < plist.find("<dict>").unwrap());
    }
}

proptest! {
    // Each case starts a process.
    #![proptest_config(ProptestConfig::with_cases(4))]
    #[test]
    fn python_reads_the_same_values(jobs in prop::collection::vec(awkward_job(), 64)) {
        let files: Vec<String> = jobs.iter().map(|job| job.render().unwrap()).collect();
        if let Some(read) = read_by_python(&files) {
            let written: Vec<Vec<String>> = jobs.iter().map(values).collect();
            prop_assert_eq!(read, written);
        }
    }
}
