//! Requests and responses on the wire: four bytes of length, big-endian, then
//! that many bytes. What they mean is for the protocol room.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};
use minichain_protocol::limits::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX};

/// A request as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// All of it.
    Whole(Vec<u8>),
    /// The peer announced more than any request needs; nothing of it was read.
    /// An error instead would never reach the network task.
    TooLong,
    /// The peer began to ask and did not go on.
    TooSlow,
}

/// Reads and writes bounded messages.
#[derive(Clone, Copy, Debug)]
pub struct SyncCodec {
    question_time: Duration,
}

impl SyncCodec {
    /// Waits so long for a question that was begun.
    pub const fn new(question_time: Duration) -> Self {
        Self { question_time }
    }
}

/// Read at once at most; a length alone never claims more memory than this.
const CHUNK: usize = 64 << 10;

impl request_response::Codec for SyncCodec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        let question = read(io, REQUEST_BYTES_MAX);
        match tokio::time::timeout(self.question_time, question).await {
            Ok(Ok(bytes)) => Ok(Request::Whole(bytes)),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Ok(Request::TooLong),
            Ok(Err(error)) => Err(error),
            Err(_late) => Ok(Request::TooSlow),
        }
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, RESPONSE_BYTES_MAX).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Request,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        match request {
            Request::Whole(bytes) => write(io, &bytes, REQUEST_BYTES_MAX).await,
            Request::TooLong | Request::TooSlow => Err(too_long(usize::MAX, REQUEST_BYTES_MAX)),
        }
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &response, RESPONSE_BYTES_MAX).await
    }
}

async fn read<T: AsyncRead + Unpin + Send>(io: &mut T, max: usize) -> io::Result<Vec<u8>> {
    let mut prefix = [0; 4];
    io.read_exact(&mut prefix).await?;
    let len = u32::from_be_bytes(prefix) as usize;
    if len > max {
        return Err(too_long(len, max));
    }
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let start = bytes.len();
        bytes.resize(len.min(start + CHUNK), 0);
        io.read_exact(&mut bytes[start..]).await?;
    }
    Ok(bytes)
}

async fn write<T: AsyncWrite + Unpin + Send>(
    io: &mut T,
    bytes: &[u8],
    max: usize,
) -> io::Result<()> {
    let len = u32::try_from(bytes.len())
        .ok()
        .filter(|_| bytes.len() <= max);
    let len = len.ok_or_else(|| too_long(bytes.len(), max))?;
    io.write_all(&len.to_be_bytes()).await?;
    io.write_all(bytes).await?;
    io.close().await
}

fn too_long(len: usize, max: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{len} bytes, {max} allowed"),
    )
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::{CHUNK, read, write};

    #[test]
    fn what_is_written_is_read() {
        for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let bytes: Vec<u8> = (0..len)
                .map(|i| u8::try_from(i % 251).expect("small"))
                .collect();
            let mut wire = Cursor::new(Vec::new());
            block_on(write(&mut wire, &bytes, len)).expect("fits");
            let mut wire = Cursor::new(wire.into_inner());
            assert_eq!(block_on(read(&mut wire, len)).expect("reads"), bytes);
        }
    }

    #[test]
    fn a_message_above_the_limit_is_neither_written_nor_read() {
        let mut wire = Cursor::new(Vec::new());
        let error = block_on(write(&mut wire, &[0; 11], 10)).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(wire.into_inner().is_empty());

        let mut wire = Cursor::new(vec![0, 0, 0, 11, 1, 2, 3]);
        let error = block_on(read(&mut wire, 10)).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(wire.position(), 4, "nothing behind the length is read");
    }

    #[test]
    fn a_message_cut_short_is_an_error() {
        for wire in [vec![0, 0], vec![0, 0, 0, 5, 1, 2]] {
            let error = block_on(read(&mut Cursor::new(wire), 10)).expect_err("cut short");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
