extension RawSpan {
    /// The integer at `offset` in the machine's byte order; nil when it would reach beyond the end.
    ///
    /// Every read of bytes that the kernel sent goes through here: the bounds are checked before the load, since
    /// the load itself would trap.
    func integer<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type = T.self) -> T? {
        guard offset >= 0, offset <= byteCount, byteCount - offset >= MemoryLayout<T>.size else { return nil }
        return unsafeLoadUnaligned(fromByteOffset: offset, as: type)
    }

    /// A copy of the bytes.
    var array: [UInt8] { withUnsafeBytes { Array($0) } }

    /// The text up to the first NUL, or to the end; bytes that are no UTF-8 are replaced by U+FFFD.
    var text: String {
        withUnsafeBytes { bytes in
            var length = 0
            while length < bytes.count, bytes[length] != 0 { length += 1 }
            return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[..<length]), as: UTF8.self)
        }
    }
}
