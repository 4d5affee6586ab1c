//! Snapshots of generated shaders, and their validation by naga, which needs no GPU.

use granule::kernel::wgsl::Module;
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// Parses and validates a shader, and translates it for each API.
pub(crate) fn validate(name: &str, text: &str, wide: bool) -> (naga::Module, naga::valid::ModuleInfo) {
    let module = naga::front::wgsl::parse_str(text).unwrap_or_else(|e| panic!("{name}: {}\n{text}", e.emit_to_string(text)));
    let capabilities = if wide { Capabilities::all() } else { Capabilities::SUBGROUP };
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .unwrap_or_else(|e| panic!("{name}: {}\n{text}", e.emit_to_string(text)));
    let spv = naga::back::spv::Options { lang_version: (1, 3), ..Default::default() };
    naga::back::spv::write_vec(&module, &info, &spv, None).unwrap_or_else(|e| panic!("{name}: SPIR-V: {e}\n{text}"));
    let msl = naga::back::msl::Options { lang_version: (2, 3), fake_missing_bindings: true, ..Default::default() };
    let f64_used = text.contains("f64");
    if !f64_used {
        // Metal has no f64, and naga's HLSL does not convert its bits.
        naga::back::msl::write_string(&module, &info, &msl, &Default::default())
            .unwrap_or_else(|e| panic!("{name}: MSL: {e}\n{text}"));
        let hlsl = naga::back::hlsl::Options {
            shader_model: naga::back::hlsl::ShaderModel::V6_0,
            fake_missing_bindings: true,
            ..Default::default()
        };
        let mut out = String::new();
        naga::back::hlsl::Writer::new(&mut out, &hlsl, &Default::default())
            .write(&module, &info, None)
            .unwrap_or_else(|e| panic!("{name}: HLSL: {e}\n{text}"));
    }
    (module, info)
}

/// Validates a module and compares it with its snapshot; `UPDATE_SNAPSHOTS=1` writes the snapshot instead.
pub(crate) fn snapshot(name: &str, module: Module) {
    let wide = module.needs().int64 || module.needs().float64;
    let text = module.finish();
    validate(name, &text, wide);
    let path = format!("{}/tests/snapshots/{name}.wgsl", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name} has changed: look at it, then run with UPDATE_SNAPSHOTS=1");
}
