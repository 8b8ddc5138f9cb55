(module
  (memory 1)
  (func (export "run") (result i32)
    (i32.trunc_f32_u (f32.const inf))))
