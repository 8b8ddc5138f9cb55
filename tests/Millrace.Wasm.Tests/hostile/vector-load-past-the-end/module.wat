(module
  (memory 1)
  (func (export "run") (result i32)
    (i32x4.extract_lane 0 (v128.load (i32.const 65521)))))
