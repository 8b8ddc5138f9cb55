(module
  (type $node (sub (struct (field (mut i32)) (field (ref null $node)))))
  (type $leaf (sub final $node (struct (field (mut i32)) (field (ref null $node)) (field (mut i8)))))
  (type $bytes (array (mut i8)))
  (type $all (array (mut anyref)))
  (func (param $next (ref null $node)) (result (ref $leaf))
    (struct.new $leaf (i32.const 7) (local.get $next) (i32.const 0)))
  (func (param $node (ref null $node)) (param $leaf (ref $leaf)) (result i32)
    (struct.set $node 0 (local.get $node) (i32.const 1))
    (i32.add (struct.get $node 0 (local.get $node)) (struct.get_s $leaf 2 (local.get $leaf))))
  (func (param $bytes (ref $bytes)) (param $at i32) (result i32)
    (array.get_u $bytes (local.get $bytes) (local.get $at)))
  (func (param $all (ref $all)) (param $at i32) (param $value anyref)
    (array.set $all (local.get $all) (local.get $at) (local.get $value)))
  (func (param $any anyref) (result i32)
    (struct.get $node 0 (ref.cast (ref $node) (local.get $any))))
  (func (param $node (ref null $node)) (result i32)
    (block $no (result (ref null $node))
      (return (struct.get_u $leaf 2 (br_on_cast_fail $no (ref null $node) (ref $leaf) (local.get $node)))))
    (drop) (i32.const -1))
  (func (param $number i32) (param $other eqref) (result i32)
    (ref.eq (ref.i31 (local.get $number)) (local.get $other))))

;; IL
;; f0: maxstack 2
;;   000 ldarg.1
;;   001 ldc.i4.0
;;   002 newobj S1..ctor
;;   007 stloc.0
;;   008 ldloc.0
;;   009 ldc.i4.7
;;   00a stfld S0.f0
;;   00f ldloc.0
;;   010 ldarg.0
;;   011 stfld S0.f1
;;   016 ldloc.0
;;   017 ret
;; f1: maxstack 8
;;   000 ldarg.0
;;   001 brfalse 022
;;   006 ldarg.0
;;   007 ldc.i4.1
;;   008 stfld S0.f0
;;   00d ldarg.0
;;   00e brfalse 022
;;   013 ldarg.0
;;   014 ldfld S0.f0
;;   019 ldarg.1
;;   01a ldfld S1.f2
;;   01f conv.i1
;;   020 add
;;   021 ret
;;   022 ldc.i4.s 10
;;   024 call Traps.Throw
;;   029 ldnull
;;   02a throw
;; f2: maxstack 2
;;   000 ldarg.0
;;   001 ldfld GuestArray<Byte>.Items
;;   006 stloc.0
;;   007 ldarg.1
;;   008 ldloc.0
;;   009 ldlen
;;   00a conv.i4
;;   00b bge.un 019
;;   010 ldloc.0
;;   011 ldarg.1
;;   012 ldelema (signature)
;;   017 ldind.u1
;;   018 ret
;;   019 ldc.i4.3
;;   01a call Traps.Throw
;;   01f ldnull
;;   020 throw
;; f3: maxstack 2
;;   000 ldarg.0
;;   001 ldfld GuestArray<ReferenceSlot>.Items
;;   006 stloc.0
;;   007 ldarg.1
;;   008 ldloc.0
;;   009 ldlen
;;   00a conv.i4
;;   00b bge.un 01e
;;   010 ldloc.0
;;   011 ldarg.1
;;   012 ldelema (signature)
;;   017 ldarg.2
;;   018 stfld ReferenceSlot.Value
;;   01d ret
;;   01e ldc.i4.3
;;   01f call Traps.Throw
;;   024 ldnull
;;   025 throw
;; f4: maxstack 8
;;   000 ldarg.0
;;   001 ldc.i4.0
;;   002 conv.i8
;;   003 call Casts.IsOf
;;   008 brfalse 014
;;   00d ldarg.0
;;   00e ldfld S0.f0
;;   013 ret
;;   014 ldc.i4.s 11
;;   016 call Traps.Throw
;;   01b ldnull
;;   01c throw
;; f5: maxstack 2
;;   000 ldarg.0
;;   001 stloc.0
;;   002 ldarg.0
;;   003 ldc.i8 4294967297
;;   00c call Casts.IsKnownExact
;;   011 brtrue 01d
;;   016 ldloc.0
;;   017 stloc.1
;;   018 br 024
;;   01d ldloc.0
;;   01e ldfld S1.f2
;;   023 ret
;;   024 ldc.i4.m1
;;   025 ret
;; f6: maxstack 2
;;   000 ldarg.2
;;   001 ldarg.0
;;   002 call GuestI31.New
;;   007 ldarg.1
;;   008 call Casts.IsSame
;;   00d ret
;; .ctor: maxstack 8
;;   000 ldarg.0
;;   001 ldarg.1
;;   002 ldarg.2
;;   003 ldc.i4.s 40
;;   005 call GuestStruct..ctor
;;   00a ret
;; .ctor: maxstack 8
;;   000 ldarg.0
;;   001 ldarg.1
;;   002 ldarg.2
;;   003 ldc.i4.s 40
;;   005 call GuestStruct..ctor
;;   00a ret
