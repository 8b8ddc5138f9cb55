(module
  (tag $e) (tag $other)
  (func $throw (throw $e))
  (func (export "run") (result i32)
    (block $caught
      (try_table (catch $e $caught) {{255|(block (try_table (catch $other 0) }} (call $throw) {{255|))}})
      (return (i32.const 1)))
    (i32.const 7)))
