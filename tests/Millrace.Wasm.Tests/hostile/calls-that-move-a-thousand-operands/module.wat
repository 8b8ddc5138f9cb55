(module
  (type $wide (func (param {{1000|i32 }}) (result {{1000|i32 }})))
  (func $f (type $wide) {{1000|(local.get 0) }})
  (func (export "run") {{1000|(i32.const 0) }} {{60000|(call $f) }} {{1000|(drop) }}))
