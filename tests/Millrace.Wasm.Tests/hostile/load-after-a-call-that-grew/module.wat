(module
  (memory 1)
  (func $grow (drop (memory.grow (i32.const 1))))
  (func (export "run") (result i32)
    (drop (i32.load (i32.const 0)))
    (call $grow)
    (i32.load (i32.const 131000))))
