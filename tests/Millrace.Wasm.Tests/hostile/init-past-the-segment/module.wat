(module
  (memory 1)
  (data $text "abc")
  (func (export "run") (memory.init $text (i32.const 0) (i32.const 1) (i32.const 3))))
