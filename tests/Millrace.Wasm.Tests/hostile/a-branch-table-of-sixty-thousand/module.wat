(module
  (func (export "run") (result i32)
    (block $a (block $b (br_table {{30000|$a $b }} $b (i32.const 59999))) (return (i32.const 3)))
    (i32.const 2)))
