(module
  (memory 1)
  (func (export "run") (result i32)
    {{40000|(call $one) }}
    {{39999|(i32.add) }})
  (func $one (result i32) (i32.const 1)))
