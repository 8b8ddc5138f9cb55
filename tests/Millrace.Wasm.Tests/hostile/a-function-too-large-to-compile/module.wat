(module
  (memory 1)
  (func (export "run") (result i32)
    (local i32)
    {{600000|(local.set 0 (i32.rotl (local.get 0) (i32.const 3))) }} (local.get 0)))
