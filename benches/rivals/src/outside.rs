//! Programs of other languages: numpy through `numpy_rival.py`, CUB through `cub.cu`, which nvcc compiles where it is found. They get the data
//! as a file, time themselves, and leave their answer as a file, which is checked here. They do not take turns with the others.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::measure::Budget;
use crate::work::Work;
use crate::{Run, absent};

/// Where data and answers lie, for this process alone.
fn folder() -> Result<&'static Path, String> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let make = || {
        let path = std::env::temp_dir().join(format!("granule-rivals-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    };
    FOLDER.get_or_init(make).as_deref().map_err(String::clone)
}

/// Both, on this work.
pub(crate) fn measure(work: &Work, budget: Budget, run: &mut Run) {
    for (name, command) in [("peer:numpy", numpy as fn() -> Result<Command, String>), ("peer:cub", cub)] {
        let done = command().and_then(|command| ask(command, work, budget));
        match done {
            Err(reason) => run.not_run.push(absent(name, Some(work), reason)),
            Ok((answer, timed)) => {
                let verdict = work.check(&answer);
                if let Err(message) = &verdict {
                    eprintln!("WRONG ANSWER: {} {} on {name}: {message}", work.op, work.ty);
                }
                for (residency, seconds) in timed {
                    run.keep(work, residency, name, seconds, verdict.is_ok());
                }
            }
        }
    }
    if let Ok(folder) = folder() {
        _ = std::fs::remove_file(folder.join("in")).and(std::fs::remove_file(folder.join("out")));
    }
}

type Timed = Vec<(&'static str, Vec<f64>)>;

/// Has a program do the work: `PROGRAM op type n seconds in out`. It prints `{"host":[..],"gpu":[..]}`, the seconds of single samples, or
/// `{"not_run":"reason"}`.
fn ask(mut command: Command, work: &Work, budget: Budget) -> Result<(Vec<u32>, Timed), String> {
    let folder = folder()?;
    let (input, output) = (folder.join("in"), folder.join("out"));
    let bytes: [&[u8]; 2] = match work.ty {
        "f32" => [bytemuck::cast_slice(&work.x), bytemuck::cast_slice(&work.y)],
        _ => [bytemuck::cast_slice(&work.keys), bytemuck::cast_slice(&work.values)],
    };
    std::fs::write(&input, bytes.concat()).map_err(|error| error.to_string())?;
    command.args([work.op, work.ty, &work.n.to_string(), &budget.contender.as_secs_f64().to_string()]).arg(&input).arg(&output);
    let done = command.output().map_err(|error| error.to_string())?;
    if !done.status.success() {
        let text = String::from_utf8_lossy(&done.stderr);
        return Err(text.lines().last().unwrap_or("it failed and says nothing").to_owned());
    }
    let said: Value = serde_json::from_slice(&done.stdout).map_err(|error| format!("it printed no JSON: {error}"))?;
    if let Some(reason) = said["not_run"].as_str() {
        return Err(reason.to_owned());
    }
    let seconds = |key| said[key].as_array().map(|list| list.iter().filter_map(Value::as_f64).collect::<Vec<_>>());
    let timed: Timed = ["host", "gpu"].into_iter().filter_map(|key| Some((key, seconds(key)?))).collect();
    let answer = std::fs::read(&output).map_err(|error| error.to_string())?;
    Ok((bytemuck::pod_collect_to_vec(&answer), timed))
}

fn numpy() -> Result<Command, String> {
    static FOUND: OnceLock<Result<&str, String>> = OnceLock::new();
    let find = || {
        let runs =
            |python: &&str| Command::new(python).args(["-c", "import numpy"]).output().is_ok_and(|out| out.status.success());
        ["python3", "python"].into_iter().find(runs).ok_or("no Python here has numpy".to_owned())
    };
    let mut command = Command::new(FOUND.get_or_init(find).clone()?);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("numpy_rival.py"));
    Ok(command)
}

fn cub() -> Result<Command, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let build = || {
        // The seconds of a minute that this takes are in nobody's time.
        eprintln!("cub.cu is compiled, if nvcc is found");
        let program = folder()?.join("cub");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("cub.cu");
        let built = Command::new("nvcc").args(["-O3", "-std=c++17", "-arch=native", "-o"]).arg(&program).arg(source).output();
        let Ok(built) = built else { return Err("nvcc is not found".to_owned()) };
        if built.status.success() {
            return Ok(program);
        }
        let said = String::from_utf8_lossy(&built.stderr);
        // Warnings come first.
        let error = said.lines().find(|line| line.contains("error") || line.contains("fatal")).or(said.lines().next());
        Err(format!("nvcc does not compile cub.cu: {}", error.unwrap_or("it says nothing")))
    };
    BUILT.get_or_init(build).clone().map(Command::new)
}
