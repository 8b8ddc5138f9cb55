(module
  (memory 1)
  (func (export "run") (result i32)
    (local $pages i32)
    (loop $more
      (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (memory.size)))
