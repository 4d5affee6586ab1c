//! A shader is valid, and can be translated for every API.

use naga::valid::{Capabilities, ValidationFlags, Validator};

/// Parses and validates a shader, and translates it for each API.
pub(crate) fn validate(name: &str, text: &str, wide: bool) -> naga::Module {
    let module = naga::front::wgsl::parse_str(text).unwrap_or_else(|e| panic!("{name}: {}\n{text}", e.emit_to_string(text)));
    let wide = if wide { Capabilities::SHADER_INT64 | Capabilities::FLOAT64 } else { Capabilities::empty() };
    let info = Validator::new(ValidationFlags::all(), Capabilities::SUBGROUP | wide)
        .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
        .subgroup_operations(naga::valid::SubgroupOperationSet::all())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{name}: {}\n{text}", e.emit_to_string(text)));
    let spv = naga::back::spv::Options { lang_version: (1, 3), ..Default::default() };
    naga::back::spv::write_vec(&module, &info, &spv, None).unwrap_or_else(|e| panic!("{name}: SPIR-V: {e}\n{text}"));
    // Metal has no f64, and naga translates no bits of one to HLSL.
    if !text.contains("f64") {
        let msl = naga::back::msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..Default::default() };
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
    module
}
