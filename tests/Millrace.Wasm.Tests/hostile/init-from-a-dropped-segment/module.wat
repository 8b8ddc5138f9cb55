(module
  (memory 1)
  (data $text "abc")
  (func (export "run") (data.drop $text) (memory.init $text (i32.const 0) (i32.const 0) (i32.const 1))))
