;; Asks what it has no grant for, and ends with the state that wait told.
(module
  (import "millrace" "start" (func $start (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "millrace" "wait" (func $wait (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "github.create_comment")
  (data (i32.const 48) "{}")
  (func (export "_start")
    (i32.store (i32.const 0)
      (call $start (i32.const 16) (i32.const 21) (i32.const 48) (i32.const 2) (i32.const 0) (i32.const 0)))
    (drop (call $wait (i32.const 0) (i32.const 1) (i32.const -1) (i32.const 4)))
    (call $proc_exit (i32.load (i32.const 4)))))
