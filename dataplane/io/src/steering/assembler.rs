//! The few instructions that a steering program needs, as the kernel reads them.
//!
//! `struct bpf_insn` of include/uapi/linux/bpf.h, eight bytes: the code, the two registers (target in the low half of the byte,
//! source in the high one), the distance of a jump, a constant. The code is a class, and what is to be done in it
//! (Documentation/bpf/standardization/instruction-set.rst).

/// One instruction; a constant of 64 bits takes two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Insn {
    code: u8,
    registers: u8,
    offset: i16,
    immediate: i32,
}

/// A register of 64 bits. A load from the packet spoils all below [`Self::Context`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Register {
    /// What the last load read, and the program's answer.
    Result = 0,
    /// What a program begins with here, and then anything.
    Scratch = 1,
    /// Where loads look for the packet.
    Context = 6,
    Seventh = 7,
    Eighth = 8,
    Ninth = 9,
}

/// How many bytes of the packet are loaded, the first the most significant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Size {
    Word = 0x00,
    Half = 0x08,
    Byte = 0x10,
}

/// Arithmetic on 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Op {
    Add = 0x00,
    Mul = 0x20,
    Or = 0x40,
    And = 0x50,
    ShiftLeft = 0x60,
    ShiftRight = 0x70,
    Xor = 0xa0,
    Set = 0xb0,
}

impl Insn {
    /// [`Register::Result`] becomes what is `offset` bytes into the packet. Behind the packet's end, the program ends with 0.
    pub(super) const fn load(size: Size, offset: i32) -> Self {
        Self { code: LOAD | ABSOLUTE | size as u8, registers: 0, offset: 0, immediate: offset }
    }

    /// The same, counted from the byte that `base` holds the number of.
    pub(super) const fn load_from(base: Register, size: Size, offset: i32) -> Self {
        let registers = (base as u8) << 4;
        Self { code: LOAD | INDIRECT | size as u8, registers, offset: 0, immediate: offset }
    }

    /// Works on `target` with the other register.
    pub(super) const fn with(op: Op, target: Register, other: Register) -> Self {
        let registers = (other as u8) << 4 | target as u8;
        Self { code: ARITHMETIC | REGISTER | op as u8, registers, offset: 0, immediate: 0 }
    }

    /// Works on `target` with a constant.
    pub(super) const fn by(op: Op, target: Register, constant: i32) -> Self {
        Self { code: ARITHMETIC | op as u8, registers: target as u8, offset: 0, immediate: constant }
    }

    /// Puts a constant of 64 bits into `target`.
    pub(super) const fn constant(target: Register, value: u64) -> [Self; 2] {
        let (low, high) = (value as i32, (value >> 32) as i32); // the two halves
        let first = Self { code: LOAD | DOUBLE, registers: target as u8, offset: 0, immediate: low };
        [first, Self { code: 0, registers: 0, offset: 0, immediate: high }]
    }

    /// Ends the program with what [`Register::Result`] holds.
    pub(super) const fn exit() -> Self {
        Self { code: JUMP | EXIT, registers: 0, offset: 0, immediate: 0 }
    }

    const fn skip(count: i16) -> Self {
        Self { code: JUMP, registers: 0, offset: count, immediate: 0 }
    }

    const fn skip_if(condition: u8, register: Register, value: i32, count: i16) -> Self {
        Self { code: JUMP | condition, registers: register as u8, offset: count, immediate: value }
    }
}

/// Passes over `then`, which ends the program, unless the register holds the value.
pub(super) fn when(register: Register, value: i32, then: &[Insn]) -> Vec<Insn> {
    [&[Insn::skip_if(NOT_EQUAL, register, value, length(then))], then].concat()
}

/// `then` if the register holds the value, else `otherwise`. Both go on behind.
pub(super) fn either(register: Register, value: i32, then: &[Insn], otherwise: &[Insn]) -> Vec<Insn> {
    let over_then = Insn::skip_if(NOT_EQUAL, register, value, length(then) + 1);
    [&[over_then], then, &[Insn::skip(length(otherwise))], otherwise].concat()
}

/// Ends the program with 0 unless the register holds one of the values.
pub(super) fn require(register: Register, values: &[i32]) -> Vec<Insn> {
    let end = give_up();
    let jump = |(left, value): (usize, &i32)| {
        Insn::skip_if(EQUAL, register, *value, left as i16 + length(&end)) // a handful of values
    };
    let jumps = (0..values.len()).rev().zip(values).map(jump);
    jumps.chain(end).collect()
}

/// Ends the program with 0.
pub(super) const fn give_up() -> [Insn; 2] {
    [Insn::by(Op::Set, Register::Result, 0), Insn::exit()]
}

/// A few hundred at most: the verifier refuses what jumps wrongly.
const fn length(code: &[Insn]) -> i16 {
    code.len() as i16
}

/// Classes.
const LOAD: u8 = 0x00;
const JUMP: u8 = 0x05;
const ARITHMETIC: u8 = 0x07;

/// Where a load finds its value.
const DOUBLE: u8 = 0x18;
const ABSOLUTE: u8 = 0x20;
const INDIRECT: u8 = 0x40;

/// The other operand is a register.
const REGISTER: u8 = 0x08;

/// Jumps.
const EQUAL: u8 = 0x10;
const NOT_EQUAL: u8 = 0x50;
const EXIT: u8 = 0x90;
