(module
  (memory 1)
  (func (export "run") (result i32)
    (loop $more (drop (memory.grow (i32.const 1))) (br $more)) (unreachable)))
